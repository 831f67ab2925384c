/**
 * The network that one customer usually has: an IPv4 address itself, or the /64 of an IPv6 address.
 * Takes addresses in the form that sockets report.
 */
export function networkOf(address: string): string {
  const unmapped = address.replace(/^::ffff:(?=[0-9.]+$)/i, '');
  if (!unmapped.includes(':')) return unmapped;
  const [withoutZone = ''] = unmapped.split('%');
  const [head = [], tail = []] = withoutZone.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const zeros = new Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  const prefix = [...head, ...zeros, ...tail].slice(0, 4);
  return `${prefix.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}
