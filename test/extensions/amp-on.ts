import { amp } from '../../src/extensions/amp/amp.ts';
import type { AmpStore } from '../../src/extensions/amp/run/amp-service.ts';
import type { AmpOptions } from '../../src/extensions/amp/settings.ts';
import type { Extension } from '../../src/routing/extension.ts';
import type { BenchDeps } from './bench.ts';

/** AMP on a bench. */
export function ampOn(core: BenchDeps, options: AmpOptions, store: AmpStore = core.storage): Extension<never> {
  const { routing, clock, log } = core;
  const all = { amp: options, domains: ['localhost'], components: [] };
  return amp({ software: { name: 'Ampere' }, options: all, routing, store, clock, log });
}

/** How often a rule has fired, by the words of its counter. */
export function fired({ status }: Extension<never>, words: string): unknown {
  const figures = status?.().figures as { readonly fired: Readonly<Record<string, number>> } | undefined;
  return figures?.fired[words];
}
