export default function RunsScreen(_props: { projectId: number }) {
  return null;
}
