// Squares of a matrix whose extents are known when the program runs.
func.func @main(%x: tensor<?x40xf32>) -> tensor<40x?xf32> {
  %0 = stablehlo.transpose %x, dims = [1, 0] : (tensor<?x40xf32>) -> tensor<40x?xf32>
  return %0 : tensor<40x?xf32>
}
