import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import { pieceBytes, requestBody } from '../../../src/web/http/request-body.ts';
import { ManualClock } from '../../support/manual-clock.ts';

describe('The body of a request', () => {
  it('is read by pieces, and each one but the first waits for its turn', async () => {
    const chunkBytes = pieceBytes / 4;
    const left = Array.from({ length: 12 }, (_, number) => Buffer.alloc(chunkBytes, String(number)));
    const request = new Readable({ read: () => void request.push(left.shift() ?? null) });
    const turns: { readonly amount: number; readonly begin: () => void }[] = [];
    const asked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const take = (amount: number) =>
      new Promise<void>((begin) => {
        asked[turns.push({ amount, begin }) - 1]?.resolve();
      });
    const reading = { requestMs: 60_000, clock: new ManualClock(), turns: { take }, proceed: () => undefined };
    let bytes = 0;
    const whole = (async () => {
      const body = requestBody(request as IncomingMessage, { bodyBytes: Number.POSITIVE_INFINITY }, reading);
      for await (const chunk of body) bytes += chunk.length;
    })();
    for (const [piece, { promise }] of asked.entries()) {
      await promise;
      expect(bytes).to.equal((piece + 1) * pieceBytes);
      turns[piece]?.begin();
    }
    await whole;
    expect(turns.map(({ amount }) => amount)).to.deep.equal([pieceBytes, pieceBytes]);
    expect(bytes).to.equal(3 * pieceBytes);
  });

  it('ends with an error if the client leaves while it waits for its turn', async () => {
    const request = new Readable({ read: () => void request.push(Buffer.alloc(pieceBytes)) });
    const take = async () => void request.destroy();
    const reading = { requestMs: 60_000, clock: new ManualClock(), turns: { take }, proceed: () => undefined };
    const body = requestBody(request as IncomingMessage, { bodyBytes: Number.POSITIVE_INFINITY }, reading);
    await body.next();
    const error = await body.next().catch((reason: Error) => reason);
    expect(error).to.have.property('message', 'the client has left');
  });
});
