"""The law: S[n+1] = f(S[n], T[n]) in plain integers and pure functions. It imports nothing else."""
