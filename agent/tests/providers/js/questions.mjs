// Questions come as lines of JSON, and go out as lines of JSON: what a provider made of the agent's answer.

import { createInterface } from 'node:readline';
import { createRequire } from 'node:module';

const [folder, url] = process.argv.slice(2);

/** Loads a package from the folder that `make install-deps` filled. */
export const load = createRequire(`${folder}/`);
export { url };

/** Every client says in this way where it asks from. */
export const headers = [['X-Teal-Environment', 'prod']];

/** Types as OpenFeature's JavaScript has them. */
export const TYPES = { boolean: 'Boolean', string: 'String', integer: 'Number', float: 'Number', object: 'Object' };

const told = ({ value, variant, reason, errorCode, flagMetadata }) => ({
  value, variant: variant ?? null, reason, error: errorCode ?? null, version: flagMetadata?.version ?? null,
});

/** Answers questions until there are no more. */
export async function answer(ask) {
  for await (const line of createInterface({ input: process.stdin })) {
    const question = JSON.parse(line);
    const answered = await ask(question);
    console.log(JSON.stringify(question.type in TYPES ? told(answered) : answered));
  }
}
