// pass: canonicalize
func.func @fires(%x: tensor<2x3xf32>, %p: tensor<3xi1>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xi1>, tensor<2x3xf32>) {
  %a = stablehlo.negate %x : tensor<2x3xf32>
  %b = stablehlo.negate %a : tensor<2x3xf32>
  %c = stablehlo.abs %a : tensor<2x3xf32>
  %d = stablehlo.not %p : tensor<3xi1>
  %e = stablehlo.not %d : tensor<3xi1>
  %f = stablehlo.floor %x : tensor<2x3xf32>
  %g = stablehlo.floor %f : tensor<2x3xf32>
  return %b, %c, %e, %g : tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xi1>, tensor<2x3xf32>
}
func.func @stays(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %a = stablehlo.abs %x : tensor<2x3xf32>
  %b = stablehlo.negate %a : tensor<2x3xf32>
  return %b : tensor<2x3xf32>
}
// expect:
func.func public @fires(%x: tensor<2x3xf32>, %p: tensor<3xi1>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xi1>, tensor<2x3xf32>) {
  %0 = stablehlo.abs %x : tensor<2x3xf32>
  %1 = stablehlo.floor %x : tensor<2x3xf32>
  return %x, %0, %p, %1 : tensor<2x3xf32>, tensor<2x3xf32>, tensor<3xi1>, tensor<2x3xf32>
}
func.func public @stays(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>) {
  %0 = stablehlo.abs %x : tensor<2x3xf32>
  %1 = stablehlo.negate %0 : tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
