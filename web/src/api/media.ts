/** Addresses of pictures. With the image's hash they are cached by the browser for good. */
import { url } from "./client";

export type ThumbnailSize = 128 | 256 | 512;

export function thumbnailUrl(image: { id: number; hash: string }, size: ThumbnailSize): string {
  return url(`/images/${image.id}/thumbnail`, { size, v: image.hash.slice(0, 16) });
}

/** The upright picture at full size. */
export function pictureUrl(image: { id: number; hash: string }): string {
  return url(`/images/${image.id}/file`, { v: image.hash.slice(0, 16) });
}

/** The part of the image around a label; `version` changes when the label does. */
export function cropUrl(label: { id: number; version: number }, size = 160): string {
  return url(`/labels/${label.id}/crop`, { size, v: label.version });
}
