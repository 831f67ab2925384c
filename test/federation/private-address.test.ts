import { expect } from 'chai';
import { isPrivateAddress } from '../../src/federation/private-address.ts';

const nobodys = [
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::127.0.0.1',
  '64:ff9b::a00:1',
  '64:ff9b:1::1',
  '2002:7f00:1::',
  '2001:db8::1',
  'fc00::1',
  'fdff::1',
  'fe80::1',
  'fe80::1%eth0',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'localhost',
  '127.1',
  '0x7f000001',
  '',
];
const open = [
  '1.1.1.1',
  '9.255.255.255',
  '100.63.255.255',
  '100.128.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '192.167.255.255',
  '::ffff:1.1.1.1',
  '64:ff9b::1.1.1.1',
  '64:ff9b::101:101',
  '64:ff9b::100:0',
  '2606:4700:4700::1111',
  '2a00::1',
];

describe('an address', () => {
  for (const address of nobodys)
    it(`${address || '(none)'} is not on the public Internet`, () => {
      expect(isPrivateAddress(address)).to.equal(true);
    });

  for (const address of open)
    it(`${address} is on the public Internet`, () => {
      expect(isPrivateAddress(address)).to.equal(false);
    });
});
