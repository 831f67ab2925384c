import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { text } from 'node:stream/consumers';
import type { TestServer } from './test-server.ts';
import { parseTree, type Tree } from './xml-tree.ts';

const boshNs = 'http://jabber.org/protocol/httpbind';

/** One answer, as it came. */
export interface BoshReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  readonly body: Tree;
}

/** Posts a body as it is. */
export function post(
  server: TestServer,
  body: string | Buffer,
  { plain = false, headers = {}, signal }: PostOptions = {},
): Promise<BoshReply> {
  const { host, port, tls } = (plain ? server.http : server.https) ?? { host: '', port: 0 };
  const options = {
    host,
    port,
    path: '/http-bind',
    method: 'POST',
    headers,
    agent: false as const,
    ...(signal && { signal }),
  };
  return new Promise((resolve, reject) => {
    const sent = plain ? requestHttp(options) : requestHttps({ ...options, ...tls });
    sent.on('error', reject);
    sent.on('response', (response) => {
      text(response).then(
        (content) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: content,
            body: content.startsWith('<') ? parseTree(content) : parseTree('<nothing/>'),
          }),
        reject,
      );
    });
    sent.end(body);
  });
}

interface PostOptions {
  /** Over `listen.http`. */
  readonly plain?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** A client that makes exactly the requests that the test says (XEP-0124). */
export class BoshClient {
  readonly server: TestServer;
  readonly options: PostOptions;
  sid = '';
  rid = 1_573_741_820;

  constructor(server: TestServer, options: PostOptions = {}) {
    this.server = server;
    this.options = options;
  }

  /** Opens a session. */
  async opens(attributes = ''): Promise<BoshReply> {
    const reply = await this.says(
      '',
      `to="localhost" wait="60" hold="1" ver="1.6" xml:lang="en" xmpp:version="1.0" xmlns:xmpp="urn:xmpp:xbosh" ${attributes}`,
    );
    this.sid = reply.body.attributes.get('sid') ?? '';
    return reply;
  }

  /** Opens a session and logs in with PLAIN; a resource is bound, and presence sent. */
  async online(jid: string, password: string, resource = 'web'): Promise<void> {
    await this.opens();
    await this.authenticates(jid, password);
    await this.says(
      `<iq xmlns="jabber:client" id="b" type="set"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>${resource}</resource></bind></iq>`,
    );
    await this.says('<presence xmlns="jabber:client"/>');
  }

  async authenticates(jid: string, password: string): Promise<void> {
    const initial = Buffer.from(`\0${jid.split('@')[0]}\0${password}`).toString('base64');
    const { text: answer } = await this.says(
      `<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">${initial}</auth>`,
    );
    if (!answer.includes('<success')) throw new Error(`authentication failed: ${answer}`);
    await this.says('', 'to="localhost" xml:lang="en" xmpp:restart="true" xmlns:xmpp="urn:xmpp:xbosh"');
  }

  /** Makes the next request. */
  says(content: string, attributes = ''): Promise<BoshReply> {
    return this.sends(this.rid++, content, attributes);
  }

  /** Makes a request without content. Returns its answer, as a function, when the server holds it. */
  async holds(): Promise<() => Promise<BoshReply>> {
    const rid = this.rid++;
    // The server gives the first of two equal requests up when the second one comes.
    const both = [this.sends(rid, ''), this.sends(rid, '')];
    const first = await Promise.race(both.map((sent, index) => sent.then(() => index)));
    const held = both[1 - first];
    return () => held ?? Promise.reject(new Error('no request is held'));
  }

  /** Makes the request with this id. */
  sends(rid: number, content: string, attributes = '', options: PostOptions = {}): Promise<BoshReply> {
    return post(this.server, this.bodyOf(rid, content, attributes), { ...this.options, ...options });
  }

  /** Makes a request of these bytes. */
  posts(body: Buffer): Promise<BoshReply> {
    return post(this.server, body, this.options);
  }

  /** The text of a request. */
  bodyOf(rid: number, content: string, attributes = ''): string {
    const sid = this.sid === '' ? '' : ` sid="${this.sid}"`;
    return `<body xmlns="${boshNs}" rid="${rid}"${sid} ${attributes}>${content}</body>`;
  }
}
