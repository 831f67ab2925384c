/** An address without its resource. */
export function bareOf(jid: string): string {
  const slash = jid.indexOf('/');
  return slash === -1 ? jid : jid.slice(0, slash);
}

/** The resource of an address: a device, or the nickname of an occupant. Empty if there is none. */
export function resourceOf(jid: string): string {
  const slash = jid.indexOf('/');
  return slash === -1 ? '' : jid.slice(slash + 1);
}

/** The part before the @ of an address, or all of it if it is only a domain. */
export function localOf(jid: string): string {
  return bareOf(jid).replace(/@[^@]*$/, '');
}

/** The domain of an address. */
export function domainOf(jid: string): string {
  return bareOf(jid).replace(/^.*@/, '');
}

/** An address from what a user has typed, with the usual domain if the user has typed none; undefined if it cannot be one. */
export function typedAddress(typed: string, domain: string): string | undefined {
  const text = typed
    .trim()
    .replace(/^xmpp:/i, '')
    .toLowerCase();
  const jid = text.includes('@') ? text : `${text}@${domain}`;
  return /^[^\s@/"&'<>:]+@[^\s@/"&'<>:]+$/.test(jid) ? jid : undefined;
}
