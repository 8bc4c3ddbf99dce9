// Vectors, and a rest of elements.
func.func @main(%x: tensor<5x13xf16>, %y: tensor<5x13xf16>) -> tensor<5x26xf16> {
  %0 = stablehlo.exponential %x : tensor<5x13xf16>
  %1 = stablehlo.sqrt %0 : tensor<5x13xf16>
  %8 = stablehlo.add %1, %y : tensor<5x13xf16>
  %9 = stablehlo.concatenate %8, %x, dim = 1 : (tensor<5x13xf16>, tensor<5x13xf16>) -> tensor<5x26xf16>
  return %9 : tensor<5x26xf16>
}
