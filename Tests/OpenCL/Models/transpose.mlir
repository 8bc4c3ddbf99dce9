// Squares through local memory, some of them in part.
// kernels: kernel .* of 256 items
func.func @main(%x: tensor<2x45x37xf32>, %y: tensor<2x37x45xf32>) -> tensor<2x37x45xf32> {
  %0 = stablehlo.transpose %x, dims = [0, 2, 1] : (tensor<2x45x37xf32>) -> tensor<2x37x45xf32>
  %1 = stablehlo.add %0, %y : tensor<2x37x45xf32>
  return %1 : tensor<2x37x45xf32>
}
