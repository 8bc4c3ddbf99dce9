// Wide elements.
// kernels: kernel .* of 256 items
func.func @main(%x: tensor<1x37x33xf64>, %y: tensor<1x33x37xf64>) -> tensor<1x33x37xf64> {
  %0 = stablehlo.transpose %x, dims = [0, 2, 1] : (tensor<1x37x33xf64>) -> tensor<1x33x37xf64>
  %1 = stablehlo.add %0, %y : tensor<1x33x37xf64>
  return %1 : tensor<1x33x37xf64>
}
