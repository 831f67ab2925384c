import { StreamError } from '../protocol/stream-error.ts';
import type { DomainPolicies } from './domain-policies.ts';
import type { PeerStream } from './peer-stream.ts';

/** Dependencies of {@link objectionTo}. */
interface ObjectionDeps {
  readonly isHosted: (domain: string) => boolean;
  readonly policies: DomainPolicies;
}

/** Why a stream is no longer permitted after a reload. Streams that are not open yet are checked when they open. */
export function objectionTo(stream: PeerStream, deps: ObjectionDeps): StreamError | undefined {
  const { local, remote } = stream.role;
  if (local !== undefined && !deps.isHosted(local)) return StreamError.hostGone(`${local} is no longer served here`);
  const remotes = new Set([...(remote === undefined ? [] : [remote]), ...stream.proven.remotes]);
  const fault = [...remotes].map((domain) => faultOf(stream, domain, deps)).find((found) => found !== undefined);
  return fault === undefined ? undefined : StreamError.policyViolation(fault);
}

function faultOf(stream: PeerStream, domain: string, { isHosted, policies }: ObjectionDeps): string | undefined {
  // No peer can speak for a local domain.
  if (isHosted(domain)) return `${domain} is served here`;
  if (!policies.allows(domain)) return `communication with ${domain} is not allowed`;
  if (stream.state !== 'open') return undefined;
  if (!stream.secure) return policies.tlsRequired(domain) ? `TLS is required of ${domain}` : undefined;
  if (!restsOnCertificate(stream) && policies.authentication(domain) !== 'certificate') return undefined;
  const verdict = stream.certificateFor(domain);
  return verdict.trusted ? undefined : verdict.reason;
}

/** Whether the peer has authenticated by its certificate. */
function restsOnCertificate({ role }: PeerStream): boolean {
  return role.direction === 'in' && role.proof === 'certificate';
}
