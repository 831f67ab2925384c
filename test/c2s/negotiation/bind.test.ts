import { expect } from 'chai';
import { bind } from '../../../src/c2s/negotiation/bind.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { StreamError } from '../../../src/protocol/stream-error.ts';
import { readFrame } from '../../protocol/read-stanza.ts';
import { StreamBench } from '../stream-bench.ts';
import { StubStream } from './stub-stream.ts';

const juliet = Jid.parse('juliet@a.example');
const space = 'urn:ietf:params:xml:ns:xmpp-bind';
const request = (content = '', attributes = "id='1' type='set'") =>
  `<iq ${attributes}><bind xmlns='${space}'>${content}</bind></iq>`;

for (const mode of ['in memory', 'to be loaded']) {
  describe(`Resource binding for an account ${mode} (RFC 6120 §7)`, () => {
    let bench: StreamBench;
    let stream: StubStream;

    beforeEach(() => {
      bench = new StreamBench(mode === 'in memory' ? {} : { account: async (jid) => bench.account(jid.toString()) });
      stream = new StubStream({ identity: juliet });
    });

    async function asks(text: string): Promise<string[]> {
      await bind(bench.sessions).negotiate(stream, readFrame(text), true);
      return stream.taken();
    }

    it('tells the client its full JID after the stream (RFC 6120 §7.7.1)', async () => {
      expect(await asks(request('<resource>balcony</resource>'))).to.deep.equal([
        'bound juliet@a.example/balcony',
        `<iq id="1" type="result"><bind xmlns="${space}"><jid>juliet@a.example/balcony</jid></bind></iq>`,
      ]);
    });

    it('makes a resource if none is asked for (RFC 6120 §7.6.1)', async () => {
      for (const content of ['', '<resource/>', "<resource xmlns='urn:x'>ignored</resource>"]) {
        expect((await asks(request(content)))[0]).to.match(/^bound juliet@a\.example\/[\w-]{22}$/);
      }
    });

    it('answers with an error what cannot be had, and binds nothing (RFC 6120 §7.7.2)', async () => {
      const faults: readonly [request: string, condition: string][] = [
        [request(`<resource>${'x'.repeat(1024)}</resource>`), 'bad-request'],
        [request('', "id='1' type='get'"), 'bad-request'],
        [request('', "id='1'"), 'bad-request'],
        [request('').replace('<bind', "<x xmlns='urn:x'/><bind"), 'bad-request'],
        [request('', "type='set'"), 'bad-request'],
      ];
      for (const [text, condition] of faults) {
        const [answer, ...others] = await asks(text);
        expect(answer).to.match(new RegExp(`^<iq.* type="error">.*<${condition} `));
        expect(others).to.deep.equal([]);
      }
      expect(bench.directory.size).to.equal(0);
      expect(await asks(request('', "id='1' type='result'"))).to.deep.equal([]);
    });

    it('ends the stream of who has not authenticated', () => {
      stream = new StubStream();
      expect(() => bind(bench.sessions).negotiate(stream, readFrame(request()), false))
        .to.throw(StreamError)
        .with.property('condition', 'not-authorized');
    });
  });
}
