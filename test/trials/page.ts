import type { Extension } from '../../src/routing/extension.ts';

/** A page of the public HTTP listener. */
export const page: Extension = {
  name: 'trial-page',
  claims: [],
  http: [
    {
      methods: ['GET'],
      path: '/hello/:name',
      handle: ({ parameters }) => ({
        status: 200,
        headers: { 'content-type': 'text/plain' },
        body: `hello ${parameters['name']}`,
      }),
    },
  ],
};
