/**
 * Ask for what is wanted now, with one question at a time. While a slider moves, every answer is shown as it comes and
 * the next question is the newest one; those in between are never asked. So the server is not flooded (it would work on
 * requests that nobody waits for any more), and what is seen is at most two answers old.
 */
export class Latest<Question, Answer> {
  private asking = false;
  private next: { question: Question } | null = null;
  private ended = false;

  constructor(
    private readonly ask: (question: Question) => Promise<Answer>,
    private readonly told: (question: Question, answer: Answer) => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  want(question: Question): void {
    this.next = { question };
    if (!this.asking) void this.work();
  }

  end(): void {
    this.ended = true;
    this.next = null;
  }

  private async work(): Promise<void> {
    this.asking = true;
    while (this.next) {
      const { question } = this.next;
      this.next = null;
      try {
        const answer = await this.ask(question);
        if (!this.ended) this.told(question, answer);
      } catch (error) {
        // An error about a question that nobody asks any more is nobody's concern.
        if (!this.ended && !this.next) this.failed(error);
      }
    }
    this.asking = false;
  }
}
