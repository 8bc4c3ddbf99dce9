// Whether all and any of a row are true.
func.func @main(%x: tensor<4x90xi1>) -> tensor<4xi1> {
  %z = stablehlo.constant dense<false> : tensor<i1>
  %a = stablehlo.reduce(%x init: %z) applies stablehlo.or across dimensions = [1] : (tensor<4x90xi1>, tensor<i1>) -> tensor<4xi1>
  return %a : tensor<4xi1>
}
