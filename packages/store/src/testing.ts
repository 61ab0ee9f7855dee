/** For tests of packages that keep data: real databases, quickly, and never each other's. */
export { openTestDatabase, type TestDatabase } from './testing/test-database.ts';
export { closeTestServer, openTestServer, type TestServer } from './testing/test-server.ts';
