import { expect } from 'chai';
import { StreamError } from '../../../src/protocol/stream-error.ts';
import { readRequest } from '../../../src/web/bosh/bosh-body.ts';
import { BoshConnection, type BoshLimits } from '../../../src/web/bosh/bosh-connection.ts';
import { BoshFraming } from '../../../src/web/bosh/bosh-framing.ts';
import { termsOf } from '../../../src/web/bosh/bosh-terms.ts';
import type { Exchange } from '../../../src/web/bosh/request-window.ts';
import { unlimited } from '../../../src/xml/xml-limits.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const limits: BoshLimits = {
  outgoingBufferBytes: 1_000_000,
  writeStallMs: 60_000,
  rate: { bytesPerSecond: 1000, burstBytes: 10_000 },
};

const first = 500;
const empty = '<body xmlns="http://jabber.org/protocol/httpbind"/>';
const end = (condition = '') =>
  `<body xmlns="http://jabber.org/protocol/httpbind" type="terminate"${condition && ` condition="${condition}"`}/>`;
const carrying = (content: string) =>
  `<body xmlns="http://jabber.org/protocol/httpbind" xmlns:stream="http://etherx.jabber.org/streams">${content}</body>`;

/** The turn of the event loop ends. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A session without HTTP, the client at its one end and the stream at the other. */
class Session {
  readonly clock = new ManualClock();
  readonly received: string[] = [];
  readonly closed: string[] = [];
  readonly framing = new BoshFraming();
  readonly connection: BoshConnection;
  disconnected = 0;
  #rid = first;

  constructor(attributes = 'ver="1.6"') {
    const request = this.#request(first, '', attributes);
    this.connection = new BoshConnection(
      {
        received: (chunk) => void this.received.push(chunk.toString()),
        secured: () => undefined,
        disconnected: () => {
          this.disconnected += 1;
        },
      },
      {
        remoteAddress: '192.0.2.1',
        secure: true,
        terms: termsOf(request),
        firstRid: first,
        framing: this.framing,
        limits,
        clock: this.clock,
        closed: (sid) => void this.closed.push(sid),
      },
    );
    this.connection.take(request, new Answered());
    this.connection.write('<features/>');
    this.connection.flush();
    this.received.length = 0;
  }

  /** The client makes its next request. */
  says(content = '', attributes = ''): Answered {
    this.#rid += 1;
    return this.sends(this.#rid, content, attributes);
  }

  sends(rid: number, content = '', attributes = ''): Answered {
    const answered = new Answered();
    this.connection.take(this.#request(rid, content, attributes), answered);
    return answered;
  }

  /** The time goes on, and the listener looks at the connection. */
  async passes(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.connection.checkStall(this.clock.monotonicMs());
  }

  #request(rid: number, content: string, attributes: string) {
    const sid = rid === first ? '' : ' sid="x"';
    const text = `<body xmlns="http://jabber.org/protocol/httpbind" rid="${rid}"${sid} ${attributes}>${content}</body>`;
    const request = readRequest(Buffer.from(text), unlimited);
    if (!request) throw new Error(`not a request: ${text}`);
    return request;
  }
}

class Answered implements Exchange {
  lost = false;
  status: number | undefined;
  text: string | undefined;

  readonly answer: Exchange['answer'] = ({ status, body }) => {
    expect(this.text).to.equal(undefined);
    this.status = status;
    this.text = body.toString();
  };
}

describe('A BOSH session (XEP-0124)', () => {
  it('holds one request until there is something to say, and answers it with all that one turn brings', async () => {
    const session = new Session();
    const held = session.says('<a xmlns="urn:a"/><b/>');
    expect(session.received).to.deep.equal(['<a xmlns="urn:a"/>', '<b/>']);
    await turn();
    expect(held.text).to.equal(undefined);
    session.connection.write('<c', '/>');
    session.connection.write('<d/>');
    await turn();
    expect(held.text).to.equal(carrying('<c/><d/>'));
  });

  it('answers a held request when the next one comes', async () => {
    const session = new Session();
    const [one, two] = [session.says(), session.says('<a/>')];
    await turn();
    expect([one.text, two.text]).to.deep.equal([empty, undefined]);
  });

  it('answers an empty body when the time to wait is over', async () => {
    const session = new Session('ver="1.6" wait="20"');
    const held = session.says();
    await turn();
    await session.passes(19_999);
    expect(held.text).to.equal(undefined);
    await session.passes(1);
    expect(held.text).to.equal(empty);
  });

  it('waits for no client that polls (XEP-0124 §12)', async () => {
    for (const attributes of ['hold="0"', 'wait="0"']) {
      const session = new Session(`ver="1.6" ${attributes}`);
      const polled = session.says();
      await turn();
      expect(polled.text).to.equal(empty);
    }
  });

  it('keeps what it has to say until a request can carry it', async () => {
    const session = new Session();
    session.connection.write('<a/>');
    await turn();
    session.connection.write('<b/>');
    const next = session.says();
    await turn();
    expect(next.text).to.equal(carrying('<a/><b/>'));
  });

  it('says nothing to a client that has left, and everything when its request comes again', async () => {
    const session = new Session();
    const lost = session.says();
    await turn();
    lost.lost = true;
    session.connection.exchangeLost();
    session.connection.write('<a/>');
    await turn();
    const again = session.sends(first + 1);
    await turn();
    expect([lost.text, again.text]).to.deep.equal([undefined, carrying('<a/>')]);
  });

  it('is lost when its client makes no request for too long (XEP-0124 §10)', async () => {
    const session = new Session();
    await session.passes(60_000);
    expect(session.disconnected).to.equal(0);
    await session.passes(1);
    expect([session.disconnected, session.closed]).to.deep.equal([1, [session.connection.sid]]);
  });

  it('is lost when the client with the held request has left for too long', async () => {
    const session = new Session();
    const held = session.says();
    await session.passes(50_000);
    held.lost = true;
    session.connection.exchangeLost();
    await session.passes(9000);
    expect(session.disconnected).to.equal(0);
    await session.passes(51_001);
    expect(session.disconnected).to.equal(1);
  });

  it('answers everything at once before a pause, the request for it without content, and waits as long as asked', async () => {
    const session = new Session();
    const held = session.says();
    await turn();
    const pause = session.says('', 'pause="120"');
    session.connection.write('<a/>');
    session.connection.write('<b/>');
    await turn();
    expect([held.text, pause.text]).to.deep.equal([carrying('<a/><b/>'), empty]);
    await session.passes(119_000);
    expect(session.disconnected).to.equal(0);
    const back = session.says();
    await turn();
    expect(back.text).to.equal(undefined);
    session.connection.write('<c/>');
    await turn();
    expect(back.text).to.equal(carrying('<c/>'));
    await session.passes(61_000);
    expect(session.disconnected).to.equal(1);
  });

  it('ignores a pause that is too long', async () => {
    const session = new Session();
    const held = session.says('', 'pause="121"');
    await turn();
    expect(held.text).to.equal(undefined);
  });

  it('ends for a client that asks for news far too often (XEP-0124 §11)', async () => {
    const session = new Session();
    let last = session.says();
    for (let more = 0; more < 11; more++) {
      expect(session.disconnected).to.equal(0);
      last = session.says();
      await turn();
    }
    expect(last.text).to.equal(end('policy-violation'));
    expect(session.disconnected).to.equal(1);
    expect(session.says().text).to.equal(end('item-not-found'));
  });

  it('ends for a client that polls far too often (XEP-0124 §12), not for one that polls as agreed', async () => {
    const session = new Session('ver="1.6" hold="0"');
    const polls = async () => {
      const polled = session.says();
      await turn();
      return polled.text;
    };
    for (let round = 0; round < 20; round++) {
      expect(await polls()).to.equal(empty);
      await session.clock.advance(5000);
    }
    for (let round = 0; round < 11; round++) await polls();
    expect(await polls()).to.equal(end('item-not-found'));
  });

  it('lets a client ask as often as it gets answers', async () => {
    const session = new Session();
    for (let round = 0; round < 50; round++) {
      const asked = session.says();
      session.connection.write('<a/>');
      await turn();
      expect(asked.text).to.equal(carrying('<a/>'));
    }
  });

  it('ends for a client that makes too many requests at once, and for one with an id that cannot be', async () => {
    const session = new Session();
    session.connection.pause('work');
    const asked = [session.says('<a/>'), session.says('<b/>'), session.says('<c/>')];
    expect(asked.map(({ text }) => text)).to.deep.equal(Array(3).fill(end('policy-violation')));
    const other = new Session();
    const held = other.says();
    const wrong = other.sends(first + 9);
    expect([held.text, wrong.text]).to.deep.equal(Array(2).fill(end('item-not-found')));
    expect(other.disconnected).to.equal(1);
  });

  it('tells legacy clients by status codes (XEP-0124 §17.1)', () => {
    const session = new Session('');
    expect(session.sends(first + 9).status).to.equal(404);
    const other = new Session('');
    other.connection.pause('work');
    expect([other.says('<a/>'), other.says('<b/>'), other.says('<c/>')].at(-1)?.status).to.equal(403);
  });

  it('reads nothing while it is paused, and the rest in order afterwards', async () => {
    const session = new Session();
    session.connection.pause('work');
    session.says('<a/>');
    session.says('<b/>');
    await turn();
    expect(session.received).to.deep.equal([]);
    session.connection.resume('work');
    expect(session.received).to.deep.equal(['<a/>', '<b/>']);
  });

  it('reads a client that sends too fast no faster than it may', async () => {
    const session = new Session();
    session.says(`<a>${'x'.repeat(12_000)}</a>`);
    session.says('<b/>');
    expect(session.received).to.have.length(0);
    await session.clock.advance(4000);
    expect(session.received.map((text) => text.slice(0, 2))).to.deep.equal(['<a', '<b']);
  });

  it('makes answers of moderate size, and is congested meanwhile', async () => {
    const session = new Session();
    const part = `<a>${'x'.repeat(50_000)}</a>`;
    for (let count = 0; count < 8; count++) session.connection.write(part);
    expect(session.connection.congested).to.equal(true);
    let isFlushed = false;
    const flushed = session.connection.flushed().then(() => {
      isFlushed = true;
    });
    const answers: Answered[] = [];
    while (session.connection.outgoingBytes > 0) {
      expect(isFlushed).to.equal(false);
      answers.push(session.says());
      await turn();
    }
    await flushed;
    expect(answers.map(({ text }) => text?.split('<a>').length)).to.deep.equal([4, 4, 3]);
  });

  it('is lost when it has too much to say to a client that takes nothing', async () => {
    const session = new Session();
    for (let count = 0; count < 11; count++) session.connection.write('x'.repeat(100_000));
    expect([session.connection.ended, session.disconnected]).to.deep.equal([true, 0]);
    await turn();
    expect(session.disconnected).to.equal(1);
  });

  it('tells the next request of its end, if none waits', async () => {
    const session = new Session();
    session.connection.write(session.framing.element(StreamError.systemShutdown().element()));
    session.connection.end();
    await turn();
    expect(session.disconnected).to.equal(0);
    const last = session.says('<ignored/>');
    await turn();
    expect(last.text).to.match(/type="terminate" condition="system-shutdown".*<stream:error.*<system-shutdown/);
    expect([session.disconnected, session.received]).to.deep.equal([1, []]);
  });

  it('does not wait for it for long', async () => {
    const session = new Session();
    session.connection.end();
    await session.passes(5000);
    expect(session.disconnected).to.equal(1);
  });

  it('names the highest request in its answers if the client wants that (XEP-0124 §9)', async () => {
    const session = new Session('ver="1.6" ack="1"');
    const [one, two] = [session.says(), session.says('<a/>')];
    session.connection.write('<b/>');
    await turn();
    expect(one.text).to.contain(`ack="${first + 2}"`);
    session.connection.write('<c/>');
    await turn();
    expect(two.text).to.not.contain('ack=');
  });
});
