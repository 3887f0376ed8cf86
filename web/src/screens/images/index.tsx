export default function ImagesScreen(_props: { projectId: number }) {
  return null;
}
