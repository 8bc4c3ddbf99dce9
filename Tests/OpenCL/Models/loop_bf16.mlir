// Vectors, and a rest of elements.
func.func @main(%x: tensor<5x13xbf16>, %y: tensor<5x13xbf16>) -> tensor<5x26xbf16> {
  %0 = stablehlo.tanh %x : tensor<5x13xbf16>
  %1 = stablehlo.abs %0 : tensor<5x13xbf16>
  %8 = stablehlo.add %1, %y : tensor<5x13xbf16>
  %9 = stablehlo.concatenate %8, %x, dim = 1 : (tensor<5x13xbf16>, tensor<5x13xbf16>) -> tensor<5x26xbf16>
  return %9 : tensor<5x26xbf16>
}
