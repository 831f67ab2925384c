import { openTemporaryStorage } from '../support/temporary-storage.ts';
import { describeStorageContract } from './contract.ts';

describeStorageContract('sqlite', () => openTemporaryStorage());
