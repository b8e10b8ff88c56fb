export { assertObjectKey, contentDisposition, contentTypeOf, isObjectKey } from '../../../objects/key.ts';
export { FolderObjectStore } from './folder.ts';
export { type LinkedObject, ObjectLinks, type ObjectLinksOptions } from './links.ts';
export { type ObjectStoreOptions, openObjectStore } from './open.ts';
export type * from './types.ts';
