export default function ProjectsScreen() {
  return null;
}
