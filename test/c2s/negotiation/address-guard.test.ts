import { expect } from 'chai';
import { AddressGuard, type AuthenticationTally } from '../../../src/c2s/negotiation/address-guard.ts';
import { FailureLimiter } from '../../../src/c2s/negotiation/sasl/failure-limiter.ts';
import { Jid } from '../../../src/protocol/jid.ts';
import { SaslFailure } from '../../../src/protocol/sasl-failure.ts';
import { Tally } from '../../../src/support/metric.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { StubStream } from './stub-stream.ts';

describe('The guard of an address (RFC 6120 §13.9)', () => {
  let log: RecordingLog;
  let guard: AddressGuard;
  let tally: AuthenticationTally;
  const stream = new StubStream();

  beforeEach(() => {
    log = new RecordingLog();
    tally = new Tally();
    const limits = { maxFailures: 2, windowMs: 1000, blockMs: 1000, maxAddresses: 10 };
    guard = new AddressGuard({
      limiter: new FailureLimiter(limits, new ManualClock()),
      suspensions: { check: () => undefined },
      tally,
      log,
    });
  });

  const isAdmitted = (address = stream.remoteAddress) => {
    try {
      guard.admit(address);
    } catch (error) {
      expect(error).to.be.instanceOf(SaslFailure).with.property('condition', 'temporary-auth-failure');
      return false;
    }
    return true;
  };

  it('keeps out whoever guesses, and nobody else', () => {
    for (const failure of [SaslFailure.notAuthorized(), SaslFailure.invalidAuthzid()]) {
      expect(isAdmitted()).to.equal(true);
      guard.failed(stream, failure, 'PLAIN');
    }
    expect(isAdmitted()).to.equal(false);
    expect(isAdmitted('192.0.2.2')).to.equal(true);
  });

  it('does not take the mistakes of programs for guesses', () => {
    const mistakes = [
      SaslFailure.aborted(),
      SaslFailure.malformedRequest(),
      SaslFailure.invalidMechanism(),
      SaslFailure.incorrectEncoding(),
    ];
    for (const failure of mistakes) guard.failed(stream, failure, 'PLAIN');
    expect(isAdmitted()).to.equal(true);
  });

  it('logs who came, who did not, and what broke, in words of a bounded length', () => {
    guard.succeeded(stream, Jid.parse('juliet@a.example'), 'PLAIN');
    guard.failed(stream, SaslFailure.notAuthorized(), 'X'.repeat(5000));
    expect(guard.broken(new Error('a bug')).condition).to.equal('temporary-auth-failure');
    expect(log.lines).to.have.length(3);
    expect(log.lines[0]).to.contain('juliet@a.example').and.to.contain('192.0.2.1');
    expect(log.lines[1]).to.contain('not-authorized').and.to.have.length.below(200);
    expect(log.alarms).to.have.length(1);
  });

  it('counts results by mechanism, and all mechanisms that it does not know as one', () => {
    guard.succeeded(stream, Jid.parse('juliet@a.example'), 'HT-SHA-256-NONE');
    for (const mechanism of ['PLAIN', 'PLAIN', 'HT-INVENTED', 'OTHER'])
      guard.failed(stream, SaslFailure.notAuthorized(), mechanism);
    const counts = [...tally.read()].map(
      ({ labels, value }) => `${labels?.['mechanism']} ${labels?.['result']} ${value}`,
    );
    expect(counts).to.deep.equal(['HT-SHA-256-NONE success 1', 'PLAIN not-authorized 2', 'unknown not-authorized 2']);
  });
});
