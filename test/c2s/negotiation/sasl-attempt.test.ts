import { expect } from 'chai';
import type { SaslStep } from '../../../src/c2s/negotiation/sasl/mechanism.ts';
import { type AuthenticationGuard, SaslAttempt, type SaslProfile } from '../../../src/c2s/negotiation/sasl-attempt.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { SaslFailure } from '../../../src/protocol/sasl-failure.ts';
import { StreamError } from '../../../src/protocol/stream-error.ts';
import { textOf, xml } from '../../../src/xml/element.ts';
import { readFrame } from '../../protocol/read-stanza.ts';
import { StubStream } from './stub-stream.ts';

const space = 'urn:sasl-of-a-test';
const juliet = Jid.parse('juliet@a.example');

const profile: SaslProfile = {
  ns: space,
  challenge: (data) => xml('challenge', {}, data.toString()),
  failure: ({ condition }) => xml('failure', {}, condition),
  response: (element) => {
    if (textOf(element) === 'undecodable') throw SaslFailure.incorrectEncoding();
    return Buffer.from(textOf(element));
  },
  accept: () => undefined,
  succeed: (stream, { identity }) => stream.restartAs(identity),
};

/** Fails, breaks or succeeds as the client's data say; anything else is answered by a challenge. */
function step(response: Buffer): SaslStep {
  switch (response.toString()) {
    case 'right':
      return { kind: 'success', identity: juliet };
    case 'wrong':
      throw SaslFailure.notAuthorized();
    case 'breaks':
      throw new Error('a bug');
    case 'ends':
      throw StreamError.conflict();
    default:
      return { kind: 'challenge', data: Buffer.from(`after ${response}`) };
  }
}

class NotedGuard implements AuthenticationGuard {
  readonly #log: string[];
  blocked = false;
  suspended = false;

  constructor(log: string[]) {
    this.#log = log;
  }

  admit(): void {
    if (this.blocked) throw SaslFailure.temporaryAuthFailure();
  }

  check(): void {
    if (this.suspended) throw SaslFailure.accountDisabled();
  }

  succeeded(_stream: unknown, identity: Jid, mechanism: string): void {
    this.#log.push(`guard: ${identity} by ${mechanism}`);
  }

  failed(_stream: unknown, { condition }: SaslFailure, mechanism: string): void {
    this.#log.push(`guard: ${condition} by ${mechanism}`);
  }

  broken(): SaslFailure {
    return SaslFailure.temporaryAuthFailure();
  }
}

for (const mode of ['now', 'later'] as const) {
  describe(`A SASL exchange whose mechanism answers ${mode} (RFC 6120 §6.4)`, () => {
    let stream: StubStream;
    let guard: NotedGuard;
    let attempt: SaslAttempt;

    beforeEach(() => {
      stream = new StubStream();
      guard = new NotedGuard(stream.events);
      attempt = new SaslAttempt(stream, profile, guard, 'TEST');
    });

    const exchange = { step: mode === 'now' ? step : async (response: Buffer) => step(response) };
    const failed = (condition: string) => [`guard: ${condition} by TEST`, `<failure>${condition}</failure>`, 'failed'];
    const succeeded = ['restart as juliet@a.example', 'guard: juliet@a.example by TEST'];

    async function begin(response?: string): Promise<string[]> {
      await attempt.begin(
        () => exchange,
        () => (response === undefined ? undefined : Buffer.from(response)),
      );
      return stream.taken();
    }

    async function says(element: string): Promise<string[]> {
      await attempt.receive(readFrame(element));
      return stream.taken();
    }

    const responds = (text: string) => says(`<response xmlns='${space}'>${text}</response>`);

    it('goes on with challenges to success', async () => {
      expect(await begin('a')).to.deep.equal(['<challenge>after a</challenge>']);
      expect(await responds('b')).to.deep.equal(['<challenge>after b</challenge>']);
      expect(await responds('right')).to.deep.equal(succeeded);
    });

    it('asks for an initial response that did not come (RFC 4422 §5)', async () => {
      expect(await begin()).to.deep.equal(['<challenge/>']);
      expect(await responds('right')).to.deep.equal(succeeded);
    });

    it('takes an empty initial response for one', async () => {
      expect(await begin('')).to.deep.equal(['<challenge>after </challenge>']);
    });

    it('fails, at once or later', async () => {
      expect(await begin('wrong')).to.deep.equal(failed('not-authorized'));
      expect(await begin('a')).to.have.length(1);
      expect(await responds('wrong')).to.deep.equal(failed('not-authorized'));
      expect(await responds('undecodable')).to.deep.equal(failed('incorrect-encoding'));
    });

    it('fails when the client gives up (RFC 6120 §6.4.4)', async () => {
      await begin('a');
      expect(await says(`<abort xmlns='${space}'/>`)).to.deep.equal(failed('aborted'));
    });

    it('does not even begin for an address that is kept out', async () => {
      guard.blocked = true;
      let began = false;
      const start = () => {
        began = true;
        return exchange;
      };
      await attempt.begin(start, () => Buffer.from('right'));
      expect(stream.taken()).to.deep.equal(failed('temporary-auth-failure'));
      expect(began).to.equal(false);
    });

    it('fails for now when something of ours breaks', async () => {
      expect(await begin('breaks')).to.deep.equal(failed('temporary-auth-failure'));
    });

    it('fails when it cannot be started', async () => {
      await attempt.begin(
        () => {
          throw SaslFailure.invalidMechanism();
        },
        () => undefined,
      );
      expect(stream.taken()).to.deep.equal(failed('invalid-mechanism'));
      expect(await responds('right')).to.deep.equal(failed('malformed-request'));
    });

    const endOf = (work: () => unknown) =>
      Promise.resolve()
        .then(work)
        .then(
          () => 'nothing',
          (error: unknown) => (error instanceof StreamError ? error.condition : error),
        );

    it('ends the stream if the mechanism says so', async () => {
      expect(await endOf(() => begin('ends'))).to.equal('conflict');
      expect(stream.taken()).to.deep.equal([]);
    });

    for (const element of [
      `<auth xmlns='${space}' mechanism='TEST'/>`,
      `<challenge xmlns='${space}'/>`,
      `<success xmlns='${space}'/>`,
      `<RESPONSE xmlns='${space}'>right</RESPONSE>`,
      "<response xmlns='urn:other'>right</response>",
      '<response>right</response>',
      '<message/>',
      "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    ]) {
      it(`ends the stream at ${element} (RFC 6120 §6.4.3)`, async () => {
        await begin('a');
        expect(await endOf(() => says(element))).to.equal('not-authorized');
        expect(stream.taken()).to.deep.equal([]);
      });
    }
  });
}
