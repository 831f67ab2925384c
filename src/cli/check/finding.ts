/** One thing a check looked at, and what it found. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly topic: 'configuration' | 'certificates' | 'data' | 'server' | 'ports' | 'dns';
  readonly message: string;
}

/** A function that makes findings of one topic. */
export function findingsAbout(topic: Finding['topic']) {
  return (level: Finding['level'], message: string): Finding => ({ level, topic, message });
}
