// Vectors, and a rest of elements.
func.func @main(%x: tensor<5x13xf64>, %y: tensor<5x13xf64>) -> tensor<5x26xf64> {
  %0 = stablehlo.exponential %x : tensor<5x13xf64>
  %1 = stablehlo.log_plus_one %0 : tensor<5x13xf64>
  %8 = stablehlo.add %1, %y : tensor<5x13xf64>
  %9 = stablehlo.concatenate %8, %x, dim = 1 : (tensor<5x13xf64>, tensor<5x13xf64>) -> tensor<5x26xf64>
  return %9 : tensor<5x26xf64>
}
