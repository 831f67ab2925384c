import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { freePort } from '../support/free-port.ts';

/** A record to answer with, of a name if it is not the one that was asked for. */
export interface DnsRecord {
  readonly type: 'A' | 'AAAA' | 'SRV' | 'CNAME';
  readonly data: Buffer;
  readonly ttl?: number;
  readonly name?: string;
}

const types = { A: 1, CNAME: 5, AAAA: 28, SRV: 33 } as const;
const longestDatagram = 1232;
const truncatedFlag = 0x0200;

/** A DNS server on loopback, over UDP and TCP (RFC 1035). */
export class DnsServer {
  /** What it says of a name and a type, such as `A a.example`; without an entry the name does not exist. */
  readonly answers = new Map<string, readonly DnsRecord[] | 'SERVFAIL' | 'silence'>();
  readonly asked: string[] = [];
  readonly #tcp: Server;
  readonly #udp: UdpSocket;

  constructor() {
    this.#udp = createSocket('udp4', (query, { port, address }) => {
      const answer = this.#answer(query);
      if (answer) this.#udp.send(answer.length > longestDatagram ? truncated(answer) : answer, port, address);
    });
    this.#tcp = createServer((socket) =>
      socket.on('data', (query) => {
        const answer = this.#answer(query.subarray(2));
        if (answer) socket.write(Buffer.concat([number(answer.length, 2), answer]));
      }),
    );
  }

  /** Starts it at an address, or where there is room; resolves with where it is, as Node's resolver writes it. */
  async start(at?: { readonly host: string; readonly port: number }): Promise<string> {
    const { host, port } = at ?? { host: '127.0.0.1', port: await freePort() };
    this.#tcp.listen(port, host);
    await once(this.#tcp, 'listening');
    this.#udp.bind(port, host);
    await once(this.#udp, 'listening');
    return `${host}:${port}`;
  }

  stop(): void {
    this.#udp.close();
    this.#tcp.close();
  }

  #answer(query: Buffer): Buffer | undefined {
    const question = query.subarray(12, 12 + questionLength(query));
    const name = nameIn(question).toLowerCase();
    const type = Object.entries(types).find(([, code]) => code === question.readUInt16BE(question.length - 4))?.[0];
    this.asked.push(`${type} ${name}`);
    const found = this.answers.get(`${type} ${name}`);
    if (found === 'silence') return undefined;
    const records = Array.isArray(found) ? found : [];
    const known = [...this.answers.keys()].some((key) => key.endsWith(` ${name}`));
    const code = found === 'SERVFAIL' ? 2 : known ? 0 : 3;
    return Buffer.concat([
      query.subarray(0, 2),
      number(0x8580 | code, 2),
      ...[1, records.length, 0, 0].map((count) => number(count, 2)),
      question,
      ...records.map((record) => encoded(record, name)),
    ]);
  }
}

export function srvRecord(priority: number, weight: number, port: number, host: string): DnsRecord {
  return {
    type: 'SRV',
    data: Buffer.concat([...[priority, weight, port].map((value) => number(value, 2)), labels(host)]),
  };
}

export function addressRecord(address: string, ttl = 300): DnsRecord {
  if (!address.includes(':')) return { type: 'A', ttl, data: Buffer.from(address.split('.').map(Number)) };
  const groups = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::')
    .map((half) => half.split(':').filter(Boolean));
  const [head = [], tail = []] = groups;
  const all = [...head, ...new Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return { type: 'AAAA', ttl, data: Buffer.concat(all.map((group) => number(Number.parseInt(group, 16), 2))) };
}

export function aliasRecord(name: string, target: string): DnsRecord {
  return { type: 'CNAME', name, data: labels(target) };
}

function encoded({ type, data, ttl = 300, name }: DnsRecord, asked: string): Buffer {
  return Buffer.concat([
    labels(name ?? asked),
    number(types[type], 2),
    number(1, 2),
    number(ttl, 4),
    number(data.length, 2),
    data,
  ]);
}

function truncated(answer: Buffer): Buffer {
  const header = Buffer.from(answer.subarray(0, 12 + questionLength(answer)));
  header.writeUInt16BE(header.readUInt16BE(2) | truncatedFlag, 2);
  header.writeUInt16BE(0, 6);
  return header;
}

function labels(name: string): Buffer {
  const parts = name === '' ? [] : name.split('.');
  return Buffer.concat([
    ...parts.map((part) => Buffer.concat([number(part.length, 1), Buffer.from(part)])),
    number(0, 1),
  ]);
}

function questionLength(message: Buffer): number {
  return message.indexOf(0, 12) - 12 + 5;
}

function nameIn(question: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; question[at]; at += (question[at] ?? 0) + 1)
    parts.push(question.toString('latin1', at + 1, at + 1 + (question[at] ?? 0)));
  return parts.join('.');
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeUIntBE(value, 0, bytes);
  return buffer;
}
