export { FolderObjectStore, type SignedGet } from './folder.ts';
export { assertObjectKey, contentDisposition, contentTypeOf } from './key.ts';
export { type ObjectStoreOptions, openObjectStore } from './open.ts';
export type * from './types.ts';
