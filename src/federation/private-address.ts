import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Networks that are not on the public Internet: private, shared, loopback, link-local, documentation, multicast (RFC 6890). */
const networks = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b:1::/48',
  '100::/64',
  // Tunnels, whose addresses embed other addresses.
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
] as const;

const listed = new BlockList();
for (const network of networks) {
  const [address = '', bits] = network.split('/');
  listed.addSubnet(address, Number(bits), isIPv4(address) ? 'ipv4' : 'ipv6');
}

/** IPv4 within IPv6: mapped (RFC 4291 §2.5.5.2), and translated (RFC 6052 §2.1). */
const translated = new BlockList();
translated.addSubnet('64:ff9b::', 96, 'ipv6');

/** Whether an address leads to this machine, into a private network, or nowhere. Also true for text that is not an address. */
export function isPrivateAddress(address: string): boolean {
  const [plain = ''] = address.split('%');
  if (isIPv4(plain)) return listed.check(plain, 'ipv4');
  if (!isIPv6(plain)) return true;
  if (translated.check(plain, 'ipv6')) return isPrivateAddress(lastFourBytes(plain));
  return listed.check(plain, 'ipv6');
}

/** The IPv4 address at the end of an IPv6 address; the URL parser writes both halves as numbers. */
function lastFourBytes(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').pop()?.split(':') ?? [];
  const [high = 0, low = 0] = ['0', '0', ...groups].slice(-2).map((group) => Number.parseInt(group, 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
