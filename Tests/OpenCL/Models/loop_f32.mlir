// Vectors, and a rest of elements.
func.func @main(%x: tensor<5x13xf32>, %y: tensor<5x13xf32>) -> tensor<5x26xf32> {
  %0 = stablehlo.logistic %x : tensor<5x13xf32>
  %1 = stablehlo.cosine %0 : tensor<5x13xf32>
  %2 = stablehlo.tanh %1 : tensor<5x13xf32>
  %8 = stablehlo.add %2, %y : tensor<5x13xf32>
  %9 = stablehlo.concatenate %8, %x, dim = 1 : (tensor<5x13xf32>, tensor<5x13xf32>) -> tensor<5x26xf32>
  return %9 : tensor<5x26xf32>
}
