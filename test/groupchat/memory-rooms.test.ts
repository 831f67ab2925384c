import { describeRooms } from '../storage/contract-rooms.ts';
import { MemoryRooms } from './memory-rooms.ts';

describe('rooms in memory, for tests', () => {
  const store = new MemoryRooms();
  describeRooms(() => store);
});
