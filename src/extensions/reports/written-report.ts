import type { Jid } from '../../protocol/jid.ts';
import { jidOrNothing } from '../../protocol/jid-or-nothing.ts';
import { ns } from '../../protocol/namespaces.ts';
import type { NewReport, PassingOn, ReportText } from '../../storage/reports.ts';
import { attribute, childElements, type Element, nsOf, textOf } from '../../xml/element.ts';

/** How much of a report is kept. */
const maxReasonLength = 200;
const maxTexts = 5;
const maxTextLength = 2000;
const maxIds = 20;

/** A report as a client has written it. */
export interface WrittenReport extends Pick<NewReport, 'reason' | 'texts' | 'passingOn'> {
  /** The ids of messages in the archive of the reporter, at most 20. */
  readonly ids: readonly string[];
}

/**
 * Reads the report in the `<item/>` of a blocked address (XEP-0377 §4). Undefined if there is none, or one without a reason. Texts that
 * are too many or too long are cut.
 */
export function readReport(item: Element, reporter: Jid): WrittenReport | undefined {
  const report = childElements(item).find((child) => is(child, 'report', ns.reporting));
  const reason = report && attribute(report, 'reason');
  if (!report || !reason || reason.length > maxReasonLength) return undefined;
  const children = childElements(report);
  const texts = children.filter((child) => is(child, 'text', ns.reporting)).slice(0, maxTexts);
  const allows = (name: PassingOn) => children.some((child) => is(child, name, ns.reporting));
  return {
    reason,
    texts: texts.map(readText),
    passingOn: (['report-origin', 'third-party'] as const).filter(allows),
    ids: children.flatMap((child) => idBy(child, reporter) ?? []).slice(0, maxIds),
  };
}

function readText(element: Element): ReportText {
  const lang = attribute(element, 'xml:lang');
  const text = textOf(element).trim().slice(0, maxTextLength).toWellFormed();
  return { text, ...(lang !== undefined && { lang }) };
}

/** The id that the archive of the reporter has given a message. The ids of other archives mean nothing here. */
function idBy(element: Element, reporter: Jid): string | undefined {
  if (!is(element, 'stanza-id', ns.stanzaId)) return undefined;
  return jidOrNothing(attribute(element, 'by'))?.equals(reporter) ? attribute(element, 'id') : undefined;
}

function is(element: Element, name: string, namespace: string): boolean {
  return element.getName() === name && nsOf(element) === namespace;
}
