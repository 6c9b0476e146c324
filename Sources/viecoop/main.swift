print("viecoop")
