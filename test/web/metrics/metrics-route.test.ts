import { expect } from 'chai';
import { HttpError, type HttpRequest } from '../../../src/routing/http-route.ts';
import { MetricsText } from '../../../src/web/metrics/exposition.ts';
import { metricsRoute } from '../../../src/web/metrics/metrics-route.ts';

describe('The route of the metrics', () => {
  let text: MetricsText;
  before(async () => {
    text = await MetricsText.load([], []);
  });

  const statusFor = async (remoteAddress: string, headers: HttpRequest['headers'], token?: string) => {
    const request: HttpRequest = {
      method: 'GET',
      parameters: {},
      query: new URLSearchParams(),
      headers,
      body: (async function* () {})(),
      remoteAddress,
      secure: false,
      whenLost: () => () => undefined,
    };
    try {
      return (await metricsRoute(text, token).handle(request)).status;
    } catch (error) {
      if (error instanceof HttpError) return error.status;
      throw error;
    }
  };

  const cases: readonly (readonly [who: string, address: string, headers: HttpRequest['headers'], status: number])[] = [
    ['a program on this machine', '127.0.0.1', {}, 200],
    ['a program on this machine, by IPv6', '::1', {}, 200],
    ['another machine', '192.0.2.1', {}, 401],
    ['another machine with the token', '192.0.2.1', { authorization: 'Bearer s3cret' }, 200],
    ['another machine with another token', '192.0.2.1', { authorization: 'Bearer s3cre' }, 401],
    ['another machine with another scheme', '2001:db8::1', { authorization: 'Basic s3cret' }, 401],
    ['a client behind a proxy on this machine', '127.0.0.1', { 'x-forwarded-for': '192.0.2.1' }, 401],
    ['a client behind another such proxy', '127.0.0.1', { forwarded: 'for=192.0.2.1' }, 401],
  ];
  for (const [who, address, headers, status] of cases)
    it(`answers ${who} with ${status}`, async () => {
      expect(await statusFor(address, headers, 's3cret')).to.equal(status);
    });

  it('answers nobody else if there is no token', async () => {
    expect(await statusFor('192.0.2.1', { authorization: 'Bearer undefined' })).to.equal(403);
    expect(await statusFor('127.0.0.1', {})).to.equal(200);
  });
});
