export default function ReviewScreen(_props: { projectId: number; runId: number }) {
  return null;
}
