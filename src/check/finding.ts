/** One result of `ampere check`. */
export interface Finding {
  readonly level: 'ok' | 'warning' | 'error';
  readonly topic: 'configuration' | 'certificates' | 'data' | 'server' | 'ports' | 'dns' | 'system' | 'web';
  readonly message: string;
}

/** Gives a function that makes findings about one topic. */
export function findingsAbout(topic: Finding['topic']) {
  return (level: Finding['level'], message: string): Finding => ({ level, topic, message });
}
