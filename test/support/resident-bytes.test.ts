import { expect } from 'chai';
import { residentBytes } from '../../src/support/resident-bytes.ts';

describe('The memory of the process', () => {
  it('is known without a free file descriptor, too', () => {
    const none = () => {
      throw new Error('EMFILE: too many open files, uv_resident_set_memory');
    };
    expect(residentBytes(none)).to.be.greaterThan(1_000_000);
    expect(residentBytes(() => 5)).to.equal(5);
  });
});
