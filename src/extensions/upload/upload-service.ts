import { formatDateTime } from '../../protocol/date-time.ts';
import type { Capabilities } from '../../protocol/disco.ts';
import type { Jid } from '../../protocol/jid.ts';
import { ns } from '../../protocol/namespaces.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { IqContent, IqEnds } from '../../routing/iq-table.ts';
import type { LocalService } from '../../routing/local-service.ts';
import { attribute, type Element, xml } from '../../xml/element.ts';
import { fileName } from './file-name.ts';
import { mediaType } from './media-type.ts';
import type { WantedUpload } from './slots.ts';
import type { SlotRefusal, Uploads } from './uploads.ts';

/** Dependencies of the service. */
interface UploadServiceDeps {
  readonly uploads: Pick<Uploads, 'request'>;
  readonly isLocalDomain: (domain: string) => boolean;
  /** Read at each use: the address of the public HTTP listener, and the largest file. */
  readonly options: { readonly url: string | undefined; readonly limits: { readonly fileBytes: number } };
}

type Request = IqEnds & IqContent;

const serviceName = 'File upload';

/** The service that promises room for files (XEP-0363 §4). */
export function uploadService(domain: string, deps: UploadServiceDeps): LocalService<'upload'> {
  return {
    domain,
    name: serviceName,
    scopeOf: (to: Jid) => {
      if (to.local === '' && to.isBare) return 'upload';
      throw StanzaError.itemNotFound();
    },
    iq: [
      {
        name: 'request',
        ns: ns.httpUpload,
        type: 'get',
        scopes: ['upload'],
        handle: (request) => slotFor(request, deps),
      },
    ],
    disco: { scopes: ['upload'], info: (_ends, node) => (node === undefined ? capabilitiesOf(deps) : undefined) },
  };
}

function capabilitiesOf({ options }: UploadServiceDeps): Capabilities {
  const fields = [{ var: 'max-file-size', values: [String(options.limits.fileBytes)] }];
  return {
    identities: [{ category: 'store', type: 'file', name: serviceName }],
    features: [ns.httpUpload],
    forms: [{ type: 'result', formType: ns.httpUpload, fields }],
  };
}

async function slotFor(request: Request, { uploads, isLocalDomain, options }: UploadServiceDeps) {
  if (!isLocalDomain(request.from.domain)) throw StanzaError.notAllowed('only for users of this server');
  const wanted = readRequest(request);
  const answer = await uploads.request(wanted);
  const { url, limits } = options;
  if ('reason' in answer) throw refusal(answer, limits.fileBytes);
  if (url === undefined) throw StanzaError.serviceUnavailable('uploads are off');
  const { slot, token } = answer;
  const name = encodeURIComponent(wanted.name);
  return xml(
    'slot',
    { xmlns: ns.httpUpload },
    xml('put', { url: `${url}/upload/${token}/${name}` }),
    xml('get', { url: `${url}/files/${slot.id}/${name}` }),
  );
}

function readRequest({ payload, from }: Request): WantedUpload {
  const name = attribute(payload, 'filename');
  const size = attribute(payload, 'size');
  const named = attribute(payload, 'content-type');
  const type = named ? mediaType(named) : undefined;
  if (!name || !size || !/^[1-9]\d{0,14}$/.test(size)) throw StanzaError.badRequest('a file needs a name and a size');
  if (named && type === undefined) throw StanzaError.badRequest('the content-type is not a media type');
  return { owner: from.bare().toString(), name: fileName(name), type, size: Number(size) };
}

/** XEP-0363 §5. */
function refusal(refused: SlotRefusal, maxFileBytes: number): StanzaError {
  switch (refused.reason) {
    case 'size':
      return StanzaError.notAcceptable(`a file may have ${maxFileBytes} bytes`, {
        extra: tooLarge(maxFileBytes),
      });
    case 'day':
      return StanzaError.resourceConstraint('you have uploaded enough for one day', {
        extra: xml('retry', { xmlns: ns.httpUpload, stamp: formatDateTime(refused.retryAtMs) }),
      });
    case 'slots':
      return StanzaError.resourceConstraint('too many uploads at the same time');
    case 'space':
      return StanzaError.resourceConstraint('the server has no room for the file');
  }
}

function tooLarge(maxFileBytes: number): Element {
  return xml('file-too-large', { xmlns: ns.httpUpload }, xml('max-file-size', {}, String(maxFileBytes)));
}
