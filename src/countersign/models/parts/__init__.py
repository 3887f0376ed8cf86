"""What families are made of: hub checkpoints, batches, results, prompts, engines. No model is named here."""
