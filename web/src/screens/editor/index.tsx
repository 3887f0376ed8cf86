export default function EditorScreen(_props: { projectId: number; imageId: number }) {
  return null;
}
