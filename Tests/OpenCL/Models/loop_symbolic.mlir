// Extents that are known when the program runs.
func.func @main(%x: tensor<?x5xf32>, %y: tensor<?x5xf32>) -> tensor<?x5xf32> {
  %0 = stablehlo.multiply %x, %y : tensor<?x5xf32>
  %1 = stablehlo.exponential %0 : tensor<?x5xf32>
  return %1 : tensor<?x5xf32>
}
