// OpenFeature's SDK for browsers: all answers at once, asked for again and again with the tag of those it has.

import { answer, headers, load, TYPES, url } from './questions.mjs';

const { OpenFeature } = load('@openfeature/web-sdk');
const { OFREPWebProvider } = load('@openfeature/ofrep-web-provider');

const statuses = {};
const fetchImplementation = async (...request) => {
  const response = await fetch(...request);
  statuses[response.status] = (statuses[response.status] ?? 0) + 1;
  return response;
};
const provider = new OFREPWebProvider({
  baseUrl: url, headers, fetchImplementation, pollInterval: 50, cacheMode: 'disabled',
});
await OpenFeature.setProviderAndWait(provider, { targetingKey: 'user-7' });
const client = OpenFeature.getClient();
let current;
await answer(async ({ type, flag, fallback, context }) => {
  if (type === 'statuses') return statuses;
  const text = JSON.stringify(context);
  if (text !== current) await OpenFeature.setContext(context);
  current = text;
  return client[`get${TYPES[type]}Details`](flag, fallback);
});
await OpenFeature.close();
