import { expect } from 'chai';
import { messageOperations } from '../../../src/extensions/amp/operator/message-operations.ts';
import { announcementOperations } from '../../../src/extensions/announcements.ts';
import { blockListOperations } from '../../../src/extensions/block-lists/block-lists.ts';
import { uploadOperations } from '../../../src/extensions/upload/upload-operations.ts';
import { roomOperations } from '../../../src/groupchat/room-operations.ts';
import { actions, pages } from '../../../src/web/console/pages/index.ts';
import { consoleOperations, mayUse } from '../../../src/web/console/roles.ts';
import { operations } from '../../../src/web/control/operations.ts';

const all = [
  ...operations,
  ...messageOperations,
  ...announcementOperations,
  ...uploadOperations,
  ...roomOperations,
  ...blockListOperations,
];
const nameOf = ({ method, path }: { readonly method: string; readonly path: string }) => `${method} ${path}`;

/** What only the command line does: it takes files or passwords, gives access, or is seldom needed. */
const elsewhere = [
  'GET /users/show',
  'GET /users/roster',
  'GET /block-lists/search',
  'POST /users',
  'PUT /users/password',
  'POST /users/import',
  'GET /users/export',
  'POST /exports',
  'GET /exports/user',
  'GET /exports/room',
  'POST /archives/import',
  'GET /archives/export',
  'POST /rooms/import',
  'POST /rooms/import/messages',
  'POST /rooms/import/end',
  'GET /rooms/addresses',
  'GET /rooms/export',
  'GET /rooms/export/messages',
  'PUT /forwards',
  'DELETE /forwards',
  'GET /forwards',
  'POST /room',
  'PUT /room/config',
  'POST /messages',
  'POST /backup',
  'POST /console/links',
];

describe('The roles of the console', () => {
  it('speak of every operation, or it is not for the console', () => {
    expect([...consoleOperations, ...elsewhere].toSorted()).to.deep.equal(all.map(nameOf).toSorted());
  });

  it('let an observer change nothing', () => {
    const allowed = all.filter((one) => mayUse('observer', one)).map(nameOf);
    // This one asks what would happen, and does nothing.
    expect(allowed.filter((name) => !name.startsWith('GET '))).to.deep.equal(['POST /messages/explain']);
  });

  it('let an operator use everything that the console has', () => {
    const allowed = all.filter((one) => mayUse('operator', one)).map(nameOf);
    expect(allowed.toSorted()).to.deep.equal(consoleOperations.toSorted());
  });

  it('let nobody use an operation that they do not know', () => {
    expect(mayUse('operator', { method: 'GET', path: '/unheard-of' })).to.equal(false);
    expect(mayUse('operator', { method: 'GET', path: '__proto__' })).to.equal(false);
  });

  for (const { name, operation } of pages) {
    it(`open the page "${name}" to operators`, () => expect(mayUse('operator', operation)).to.equal(true));
  }

  for (const { path, operation } of actions) {
    it(`let operators send the form "${path}"`, () => {
      expect(mayUse('operator', operation)).to.equal(true);
      expect(operation.method, 'a form that only reads').not.to.equal('GET');
    });
  }
});
