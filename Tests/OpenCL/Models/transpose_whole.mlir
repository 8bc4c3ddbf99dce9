// Whole squares.
func.func @main(%x: tensor<1x32x64xf32>, %y: tensor<1x64x32xf32>) -> tensor<1x64x32xf32> {
  %0 = stablehlo.transpose %x, dims = [0, 2, 1] : (tensor<1x32x64xf32>) -> tensor<1x64x32xf32>
  %1 = stablehlo.add %0, %y : tensor<1x64x32xf32>
  return %1 : tensor<1x64x32xf32>
}
