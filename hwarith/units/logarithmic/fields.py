def product(*a): raise NotImplementedError
