import type { Label } from "./generated";

export { api, BASE, type Options, type Params, pause, url } from "./client";
export { useConnection } from "./connection";
export { ApiError, isAbort, NetworkError, type Told, tell } from "./errors";
export { connectEvents, onServerEvent, type ServerEvent } from "./events";
export type * from "./generated";
export * from "./image-query";
export { cropUrl, pictureUrl, type ThumbnailSize, thumbnailUrl } from "./media";
export * from "./queries";
export { foresee, Thumbnails, thumbnailsOf } from "./thumbnails";

export type Geometry = NonNullable<Label["geometry"]>;
export type LabelState = Label["state"];
