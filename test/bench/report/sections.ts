import type { Results } from '../results.ts';
import {
  cpuTable,
  crowdTable,
  growthTable,
  latencyTable,
  loadTable,
  memoryTable,
  rulesTable,
  startTable,
  throughputTable,
  wholeTable,
} from './tables.ts';

/** The tables, by the names of their places in the document. */
export const sections: Readonly<Record<string, (results: Results) => string>> = {
  throughput: throughputTable,
  cpu: cpuTable,
  load: loadTable,
  whole: wholeTable,
  rules: rulesTable,
  latency: latencyTable,
  growth: growthTable,
  memory: memoryTable,
  crowd: crowdTable,
  start: startTable,
};
