// OpenFeature's SDK for servers: each question is a request.

import { answer, headers, load, TYPES, url } from './questions.mjs';

const { OpenFeature } = load('@openfeature/server-sdk');
const { OFREPProvider } = load('@openfeature/ofrep-provider');

await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
const client = OpenFeature.getClient();
await answer(({ type, flag, fallback, context }) => client[`get${TYPES[type]}Details`](flag, fallback, context));
await OpenFeature.close();
