import { watch } from '../../control/watch-operations.ts';
import { html } from '../../html/html.ts';
import { watchedKinds } from '../../watch/watch-filter.ts';
import type { ConsolePage } from '../page.ts';
import { checkbox, field } from '../parts.ts';

/** The log and the stanzas of the server, live. The browser fills it. */
export const watchPage: ConsolePage = {
  name: 'watch',
  title: 'Log and watch',
  group: 'Messages',
  operation: watch,
  modules: ['watch'],
  content: async (_context, query) => html`
<p class="quiet">Shows stanzas and lines of the log as they happen. Texts and values inside of stanzas are hidden: <code>ampere watch --bodies</code>
shows them.</p>
<form class="panel" id="watch">
<fieldset class="row"><legend>Kinds</legend>${watchedKinds.map((kind) => checkbox('kind', kind, kind, true))}</fieldset>
<div class="row">${field('jid', 'Address', { value: query.text('jid') ?? '', hint: 'A bare JID stands for all its resources' })}
${field('domain', 'Domain', { value: query.text('domain') ?? '' })}
${field('ns', 'Namespace', { hint: 'Of a direct child of the stanza' })}</div>
<p><button>Start</button> <button type="button" class="second" id="clear">Clear</button> <output id="state" class="quiet"></output></p>
</form>
<div class="scroll log" role="region" aria-label="What happens" tabindex="0"><ol id="lines" aria-live="off"></ol></div>
<noscript><p class="notice">The watch needs JavaScript.</p></noscript>`,
};
