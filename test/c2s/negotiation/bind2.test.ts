import { expect } from 'chai';
import { Bind2 } from '../../../src/c2s/negotiation/bind2.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { StreamError } from '../../../src/protocol/stream-error.ts';
import type { SessionFeature } from '../../../src/routing/extension.ts';
import { parseElement } from '../../../src/xml/parse-element.ts';
import { StreamBench } from '../stream-bench.ts';
import { StubStream } from './stub-stream.ts';

const juliet = Jid.parse('juliet@a.example');
const agentId = 'd4565fa7-4d72-4749-b3d3-740edbf87770';

describe('Bind 2 (XEP-0386)', () => {
  let bench: StreamBench;
  let enabled: string[];
  let bind2: Bind2;

  let content: ConstructorParameters<typeof Bind2>[0]['bound'];

  function make(secret = Buffer.alloc(32, 1), options: ConstructorParameters<typeof StreamBench>[0] = {}): void {
    bench = new StreamBench(options);
    enabled = [];
    content = () => Promise.resolve([]);
    const feature: SessionFeature = {
      name: 'enable',
      ns: 'urn:x',
      enable: ({ jid }, element) => void enabled.push(`${jid.bare()} ${element}`),
    };
    bind2 = new Bind2({
      sessions: bench.sessions,
      management: bench.management,
      features: [feature],
      bound: (session) => {
        enabled.push(`bound ${session.jid.bare()}`);
        return content(session);
      },
      secret,
    });
  }

  beforeEach(() => make());

  /** The resource a client gets. */
  async function resource(content = '', agent: string | undefined = undefined, identity = juliet): Promise<string> {
    const userAgent = agent === undefined ? '' : `<user-agent id='${agent}'><software>S</software></user-agent>`;
    const authenticate = parseElement(
      `<authenticate xmlns='urn:xmpp:sasl:2'>${userAgent}<bind xmlns='urn:xmpp:bind:0'>${content}</bind></authenticate>`,
    );
    const request = authenticate.getChild('bind', 'urn:xmpp:bind:0');
    if (!request) throw new Error('no bind');
    const { session, element } = await bind2.bind(new StubStream(), identity, request, authenticate);
    expect(element.toString()).to.equal('<bound xmlns="urn:xmpp:bind:0"/>');
    expect(bench.directory.find(session.jid)).to.equal(session);
    bench.sessions.end(session);
    return session.jid.resource;
  }

  it('makes a resource out of the tag and a part of our own (XEP-0386 §3.2.1)', async () => {
    expect(await resource('<tag>AwesomeXMPP</tag>')).to.match(/^AwesomeXMPP\/[\w-]{22}$/);
    expect(await resource()).to.match(/^[\w-]{22}$/);
    expect(await resource('<tag/>')).to.match(/^[\w-]{22}$/);
    expect(await resource()).to.not.equal(await resource());
  });

  it('gives one installation of one account the same resource each time', async () => {
    const first = await resource('<tag>T</tag>', agentId);
    expect(first).to.match(/^T\/[\w-]{16}$/);
    expect(await resource('<tag>T</tag>', agentId)).to.equal(first);
    expect(await resource('<tag>U</tag>', agentId)).to.equal(first.replace('T', 'U'));
  });

  it('shows neither the id, nor which accounts share an installation (XEP-0388 §7)', async () => {
    const own = await resource('', agentId);
    expect(own).to.not.contain(agentId.slice(0, 8));
    expect(Buffer.from(own, 'base64url').toString('hex')).to.not.contain(agentId.slice(0, 8));
    expect(await resource('', agentId, Jid.parse('romeo@a.example'))).to.not.equal(own);
    expect(await resource('', `${agentId}0`)).to.not.equal(own);
    make(Buffer.alloc(32, 2));
    expect(await resource('', agentId), 'a guess needs the secret of the server').to.not.equal(own);
  });

  it('ends the stream for a resource that is in use, if the operator wants it so (RFC 6120 §7.7.2.2)', async () => {
    make(undefined, { policy: { conflict: 'refuse' } });
    const first = await bench.sessions.bind(juliet, await resource('', agentId), new StubStream());
    const error = await resource('', agentId).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(StreamError).with.property('condition', 'conflict');
    expect(bench.directory.find(first.jid)).to.equal(first);
  });

  it('enables what it lists, and only that, and then tells that the session is bound (XEP-0386 §3.2)', async () => {
    expect(bind2.offer().toString()).to.equal(
      '<bind xmlns="urn:xmpp:bind:0"><inline><feature var="urn:x"/><feature var="urn:xmpp:sm:3"/></inline></bind>',
    );
    await resource("<enable xmlns='urn:x'/><secret xmlns='urn:x'/><enable xmlns='urn:y'/>");
    expect(enabled).to.deep.equal(['juliet@a.example <enable xmlns="urn:x"/>', 'bound juliet@a.example']);
  });

  it('tells what there is to tell of the new session, when it is bound already (XEP-0386 §3.2)', async () => {
    content = ({ jid }) =>
      Promise.resolve([parseElement(`<state xmlns='urn:x' bound='${bench.directory.find(jid) !== undefined}'/>`)]);
    const authenticate = parseElement("<authenticate xmlns='urn:xmpp:sasl:2'/>");
    const request = parseElement("<bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:sm:3'/></bind>");
    const { element } = await bind2.bind(new StubStream(), juliet, request, authenticate);
    expect(element.toString()).to.equal(
      '<bound xmlns="urn:xmpp:bind:0"><state xmlns="urn:x" bound="true"/><enabled xmlns="urn:xmpp:sm:3"/></bound>',
    );
  });

  const faults: readonly [title: string, condition: string, make: () => void, content: string][] = [
    ['a tag that cannot be', 'policy-violation', () => {}, `<tag>${'x'.repeat(1024)}</tag>`],
    ['too many sessions', 'policy-violation', () => make(undefined, { policy: { maxPerAccount: 0 } }), ''],
    ['an account that is gone', 'policy-violation', () => make(undefined, { account: () => undefined }), ''],
  ];
  for (const [title, condition, prepare, content] of faults) {
    it(`ends the stream for ${title}: it is too late for a SASL failure`, async () => {
      prepare();
      const error = await resource(content).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).to.be.instanceOf(StreamError).with.property('condition', condition);
      expect(bench.directory.size).to.equal(0);
    });
  }
});
