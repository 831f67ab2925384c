import { createHash } from 'node:crypto';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { Device } from '../../routing/session.ts';
import { attribute, type Element, textOf } from '../../xml/element.ts';

/** What a client says of itself when it authenticates (XEP-0388 §2.3). */
export interface UserAgent {
  /** Unique and stable for the installation. */
  readonly id: string;
  readonly software: string | undefined;
  readonly device: string | undefined;
}

/** Far above the length of a UUID. */
const maxIdLength = 128;
const maxNameLength = 128;

/** The user agent that an `<authenticate/>` names; undefined without an id, or with an unreasonable one. */
export function userAgentOf(authenticate: Element): UserAgent | undefined {
  const agent = authenticate.getChild('user-agent', ns.sasl2);
  const id = agent && attribute(agent, 'id');
  if (!agent || !id || id.length > maxIdLength) return undefined;
  return { id, software: nameIn(agent, 'software'), device: nameIn(agent, 'device') };
}

function nameIn(agent: Element, child: string): string | undefined {
  const element = agent.getChild(child, ns.sasl2);
  // By code points, so that no character is cut in half.
  const text = element && Array.from(textOf(element).trim()).slice(0, maxNameLength).join('');
  return text || undefined;
}

/** The device of a user agent. The hash includes the account, so that nobody can see which accounts share a device. */
export function deviceOf(account: Jid, { id, software, device }: UserAgent): Device {
  const key = createHash('sha256').update(`${account}\0${id}`).digest('base64url').slice(0, 22);
  return { key, software, name: device };
}
